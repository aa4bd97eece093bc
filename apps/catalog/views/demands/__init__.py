"""The pages of demands and of matching supply with demand."""

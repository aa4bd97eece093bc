"""The pages of reporting upward, of the catalogues above and of requests for their data."""

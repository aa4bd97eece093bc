"""`/api/v1/corrections`: list, row, raise, and `POST /{id}/{move}`."""

"""The API of the sharing system: requests, grants, and the data itself."""

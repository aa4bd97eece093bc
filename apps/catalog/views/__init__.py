"""The catalogue's pages for everybody in departments."""

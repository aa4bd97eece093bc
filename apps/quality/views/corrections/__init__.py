"""Screens of corrections 校核: list, detail, raising, moves."""

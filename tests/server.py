"""Starts or joins the throw-away PostgreSQL before Django reads its settings (a pytest plugin)."""

from config.environment import prepare_test_environment

prepare_test_environment()

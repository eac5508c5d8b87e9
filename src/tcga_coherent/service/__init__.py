"""Completion of new patients over HTTP."""

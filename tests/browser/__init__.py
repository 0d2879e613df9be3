"""Tests in a real browser: a Chromium without a window."""

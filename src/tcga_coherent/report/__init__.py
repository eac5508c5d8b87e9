"""The page that shows all tables and figures."""

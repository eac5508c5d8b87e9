"""The demo cohort: simulated patients whose conditional distributions are known in closed form."""

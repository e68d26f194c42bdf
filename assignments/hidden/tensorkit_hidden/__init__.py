"""Hidden checks: present only where grading happens, never part of a release."""

"""The collect function: on a schedule, removes what nothing reaches any more."""

"""The seed's design, written as a good engineer would: what the project is measured against."""

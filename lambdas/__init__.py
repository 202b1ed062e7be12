"""What runs: adapters between the domain in `lens` and AWS Lambda, HTTP, or this machine."""

"""The promote function: a trained model's verdict in, a step towards its gallery out."""

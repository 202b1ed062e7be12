"""The promote function: takes one step towards making a trained model live."""

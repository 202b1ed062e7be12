"""The promote function: takes one step towards making a new model live."""

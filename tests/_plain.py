"""The plain network: what tests compare with formulas, that defaults for real tables are not."""

# one network of the standardised features as they are; tests set their own epochs
PLAIN = {
    "n_estimators": 1,
    "numeric_embedding": None,
    "input_dropout": 0.0,
    "input_scaling": "standard",
}

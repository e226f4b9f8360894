"""One module per provider; `registry` names them."""

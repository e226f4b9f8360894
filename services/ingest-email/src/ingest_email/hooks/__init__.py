"""Mail that a provider takes in and sends on over HTTP: `POST /mail/{name}`. One module for each provider."""

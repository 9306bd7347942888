"""Models behind an endpoint that speaks the OpenAI protocol: calls, and what came of them."""

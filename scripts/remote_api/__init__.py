"""Asks a model behind an OpenAI-compatible API many things, and pays for no answer twice.

endpoint    one request to `chat/completions`, with retries
reply       what it answers, read
address     addresses and keys that no request can be made of are refused
journal     the journal of answers: each is on disk before anything else is done with it
asking      many requests, several at once, with a bar of tokens and dollars
options     the flags of a command that asks

Uses the standard library's HTTP client: a package that knows this API would bring retries that we need in a form of our
own anyway, since a stop must end them and the journal must see every answer. Left out: what is asked, and what becomes
of the answers.
"""

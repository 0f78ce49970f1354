"""Evaluating a model behind an API: its answers are text, which is graded as it is.

options     the flags, and the fields of a request
endpoint    one request to an OpenAI-compatible `chat/completions`, with retries
journal     every answer that was paid for, on disk before anything else is done with it
asking      all requests of an evaluation, several at once
grading     answers as graded groups
evaluation  all of it

Uses the standard library's HTTP client: a package that knows this API would bring retries that we need in a form of our
own anyway, since a stop must end them and the journal must see every answer.
"""

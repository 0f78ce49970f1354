"""One pool of sandboxes behind an HTTP endpoint, and the client that stands in for a pool of one's own.

Promises: what the endpoint answers is what the pool says, to the letter; a failure of the host is a 503 and never a
verdict; a request that is too large, too slow or malformed costs its own connection alone. Standard library only, and
loaded only where it is used. Left out: TLS, users, and more than one token.
"""

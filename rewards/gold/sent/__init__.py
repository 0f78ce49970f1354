"""What of a row's tests may be sent to a program: calls of its functions with literal arguments, and nothing else.

origins    where the values of an expression come from: the standard library, the program's types, its functions
shapes     the expressions and statements that may be sent, by a list of what is allowed
printed    what a test prints, as calls that write it
typed      the type that the other side of an assert says
"""

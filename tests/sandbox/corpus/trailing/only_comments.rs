// Nothing but comments.
/* Nothing at all. */

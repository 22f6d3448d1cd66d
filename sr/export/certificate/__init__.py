"""Certificate of an export: the forms that are compared, on which crops and within which bounds, and its printing."""

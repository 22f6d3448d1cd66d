"""The certificate: which forms of a net are compared, on which crops, within which bounds, and how it is printed."""

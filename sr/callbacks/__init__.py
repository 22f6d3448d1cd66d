"""When things happen: small Lightning callbacks that call the functions of lower floors, without arithmetic of their own."""

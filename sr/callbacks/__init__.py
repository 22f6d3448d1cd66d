"""When things happen: small Lightning callbacks that call functions of lower floors, with no arithmetic."""

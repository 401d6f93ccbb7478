# tutti_unit_test(io module)

# tutti_unit_test(daemon module)

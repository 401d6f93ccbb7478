# tutti_unit_test(core module)

# tutti_unit_test(hub module)

# tutti_unit_test(audio module)

# tutti_unit_test(core module)
tutti_unit_test(core options)
tutti_unit_test(core settings)

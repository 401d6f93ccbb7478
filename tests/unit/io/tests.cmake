# tutti_unit_test(io module)
tutti_unit_test(io loop)
tutti_unit_test(io mono_clock)

tutti_unit_test(hub service)

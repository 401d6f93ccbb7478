tutti_unit_test(hub rate)
tutti_unit_test(hub service)

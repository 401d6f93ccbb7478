tutti_unit_test(base units)
tutti_unit_test(base log)
tutti_unit_test(base text)
tutti_unit_test(base write_all Threads::Threads)

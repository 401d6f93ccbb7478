tutti_unit_test(audio resampler)

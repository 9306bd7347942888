"""Models: trained, judged, compared, held against gates; what leakage would have claimed for them."""

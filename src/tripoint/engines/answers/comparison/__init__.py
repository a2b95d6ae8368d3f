"""What two plans do differently, and what each difference costs."""

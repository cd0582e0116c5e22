"""Nothing here: each test file says what it needs. Shared scripted fakes ship in the packages."""

"""A trained model as verified files, its number, and the pointer to the live one."""

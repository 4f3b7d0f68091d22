"""The names of the columns that steps exchange. A step agrees with the next on a table, not on a class.

transactions  one row per (customer, basket, product): CUSTOMER, BASKET, PRODUCT, STORE, TIME, QUANTITY, AMOUNT
products      one row per product: PRODUCT, NAME, DEPARTMENT; TYPE where the shop has it
lists         one row per (customer, rank): CUSTOMER, PRODUCT, RANK (from 1), SCORE
purchases     one row per (customer, product): CUSTOMER, PRODUCT

Identifiers are text, whatever they were in the shop's own export.
"""

CUSTOMER = "customer_id"
BASKET = "basket_id"
PRODUCT = "product_id"
STORE = "store_id"
TIME = "time"
QUANTITY = "quantity"
AMOUNT = "amount"

NAME = "product_name"
DEPARTMENT = "department"
TYPE = "product_type"

# What stands where the shop did not say: a store, a department.
UNKNOWN = "unknown"

RANK = "rank"
SCORE = "score"
# In words, why a product is in a list; only where asked for.
REASON = "reason"

TRANSACTIONS = [CUSTOMER, BASKET, PRODUCT, STORE, TIME, QUANTITY, AMOUNT]
PRODUCTS = [PRODUCT, NAME, DEPARTMENT]
LISTS = [CUSTOMER, PRODUCT, RANK, SCORE]

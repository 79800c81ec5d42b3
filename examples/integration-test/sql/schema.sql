-- Every `up` runs this again, so it must be able to.
CREATE TABLE IF NOT EXISTS product (
    name  text PRIMARY KEY,
    stock integer NOT NULL CHECK (stock >= 0)
);

CREATE TABLE IF NOT EXISTS purchase (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product text NOT NULL REFERENCES product,
    amount  integer NOT NULL CHECK (amount > 0)
);

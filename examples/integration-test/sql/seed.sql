INSERT INTO product (name, stock) VALUES ('pencil', 100), ('stapler', 1)
ON CONFLICT (name) DO UPDATE SET stock = excluded.stock;

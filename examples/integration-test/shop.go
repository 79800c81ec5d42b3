// Package shop sells products out of a stock that is kept in PostgreSQL.
package shop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrSoldOut means that there is not as much of a product as was wanted.
var ErrSoldOut = errors.New("sold out")

// Shop keeps its products and purchases in a database. Its methods may be called at the same time.
type Shop struct{ DB *sql.DB }

// Buy takes products out of the stock and returns the number of the purchase. [ErrSoldOut] when the stock is too small, and then
// nothing has changed.
func (s Shop) Buy(ctx context.Context, product string, amount int) (purchase int64, err error) {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("buy %s: %w", product, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	taken, err := tx.ExecContext(ctx, `UPDATE product SET stock = stock - $2 WHERE name = $1 AND stock >= $2`, product, amount)
	if err != nil {
		return 0, fmt.Errorf("buy %s: %w", product, err)
	}
	if rows, err := taken.RowsAffected(); err != nil || rows == 0 {
		return 0, errors.Join(fmt.Errorf("buy %d of %s: %w", amount, product, ErrSoldOut), err)
	}
	const insert = `INSERT INTO purchase (product, amount) VALUES ($1, $2) RETURNING id`
	if err := tx.QueryRowContext(ctx, insert, product, amount).Scan(&purchase); err != nil {
		return 0, fmt.Errorf("buy %s: %w", product, err)
	}
	return purchase, tx.Commit()
}

// Stock is how much there is of a product.
func (s Shop) Stock(ctx context.Context, product string) (amount int, err error) {
	err = s.DB.QueryRowContext(ctx, `SELECT stock FROM product WHERE name = $1`, product).Scan(&amount)
	return amount, err
}

package shop_test

import (
	"cmp"
	"database/sql"
	"errors"
	"os"
	"sync/atomic"
	"testing"

	"example.com/shop"
	_ "github.com/lib/pq"
	"golang.org/x/sync/errgroup"
)

// open connects to the database that `muster up -d --wait` has started.
func open(t *testing.T) shop.Shop {
	t.Helper()
	const usual = "postgres://shop:for-tests-only@127.0.0.1:5432/shop?sslmode=disable"
	db, err := sql.Open("postgres", cmp.Or(os.Getenv("DATABASE_URL"), usual))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatalf("no database, which `muster up -d --wait` starts: %v", err)
	}
	return shop.Shop{DB: db}
}

func TestBuy(t *testing.T) {
	s := open(t)
	before, err := s.Stock(t.Context(), "pencil")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Buy(t.Context(), "pencil", 3); err != nil {
		t.Fatal(err)
	}
	if after, err := s.Stock(t.Context(), "pencil"); err != nil || after != before-3 {
		t.Errorf("stock was %d and is %d (error %v), want 3 less", before, after, err)
	}
	if _, err := s.Buy(t.Context(), "pencil", 1_000_000); !errors.Is(err, shop.ErrSoldOut) {
		t.Errorf("bought more than there is: %v", err)
	}
}

// What a database in memory would not show: of many who want the last one at the same time, one gets it.
func TestLastOneIsSoldOnce(t *testing.T) {
	s := open(t)
	if _, err := s.DB.ExecContext(t.Context(), `UPDATE product SET stock = 1 WHERE name = 'stapler'`); err != nil {
		t.Fatal(err)
	}
	var sold atomic.Int32
	var buyers errgroup.Group
	for range 8 {
		buyers.Go(func() error {
			_, err := s.Buy(t.Context(), "stapler", 1)
			if err == nil {
				sold.Add(1)
			} else if !errors.Is(err, shop.ErrSoldOut) {
				return err
			}
			return nil
		})
	}
	if err := buyers.Wait(); err != nil {
		t.Fatal(err)
	}
	if stock, err := s.Stock(t.Context(), "stapler"); err != nil || stock != 0 || sold.Load() != 1 {
		t.Errorf("sold %d times, and %d are left (error %v)", sold.Load(), stock, err)
	}
}

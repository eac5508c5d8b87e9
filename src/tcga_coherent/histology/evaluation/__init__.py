"""What generated tiles are held against: programmes, real tiles, features."""

"""What every section is drawn with: escaped markup, frames, tables, pictures, axes and colours."""

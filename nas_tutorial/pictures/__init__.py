"""What can be looked at: drawings of architectures, figures, and widgets; each module is loaded when it is used."""

__all__ = ["drawing", "miniature", "plots", "style", "widgets"]

"""What is signed of a request, part by part, in a form that may be pasted into a ticket."""

from ..scheme import Part
from .comparing import Compared, Comparison, Difference, compare
from .explanation import Explanation, explain
from .showing import visible

__all__ = ["Compared", "Comparison", "Difference", "Explanation", "Part", "compare", "explain", "visible"]

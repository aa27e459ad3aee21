"""donors"""
